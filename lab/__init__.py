"""The compatibility lab: saves a catalogue of models in every TensorFlow and loads each of them in every other."""
