"""What a trained model's score is laid to: attributions, and how far they can be believed."""
