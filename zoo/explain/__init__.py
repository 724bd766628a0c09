"""What a trained model's score depends on: attributions, in words and pictures.

`zoo.explain.sample.samples_of` opens a sample from a finished run; `zoo.explain.methods.attribute`
gives its `Attribution`, what each joint and frame has to do with the score.
"""
