"""The models of the zoo, one file each; every one is found through its entry point."""
