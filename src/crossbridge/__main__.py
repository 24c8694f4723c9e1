from crossbridge.cli import main

main()
