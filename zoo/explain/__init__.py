"""What a trained model's score is laid to: attributions, and how far they can be believed.

`zoo.explain.sample.samples_of` opens a sample from a finished run; `zoo.explain.methods.attribute`
gives its `Attribution`, what each joint and frame has to do with the score; `zoo.explain.truth`
measures on the simulator whether a method points at the joints at fault.
"""
