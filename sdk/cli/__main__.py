from mediagen.sdk.cli import main

main()
