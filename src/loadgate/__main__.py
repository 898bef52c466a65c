from loadgate.cli import main

main()
