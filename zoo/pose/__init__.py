"""From a video to the landmarks of the person in it, by MediaPipe Pose's networks.

The networks are read from a package that the user installs (`zoo.pose.packages`) and run by
`ai-edge-litert`; what stands around them (crops, tracking, smoothing) is here. docs/camera.md.
"""

EXTRA = "pip install 'skeleton-zoo[pose]'"
"""What installs the libraries of this room."""
