"""The models of the zoo, one file each; every one is named by its file in configs/model."""
