"""The sandbox of last resort: what stands between a model's code and this machine where there is no container."""
