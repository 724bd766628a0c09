"""UI-PRMD: ten healthy people do ten movements right and wrong before a Kinect v2 and a Vicon.

Vakanski, Jun, Paul, Baker: A Data Set of Human Body Movements for Physical Rehabilitation
Exercises. Data 3(1):2, 2018, doi 10.3390/data3010002. One adapter a sensor and quantity, because
their joints differ: `UiprmdKinectAdapter`, `UiprmdViconAdapter`, `UiprmdViconAnglesAdapter`.
"""

from zoo.data.adapters.uiprmd.sensors import (
    UiprmdKinectAdapter,
    UiprmdViconAdapter,
    UiprmdViconAnglesAdapter,
)

__all__ = ["UiprmdKinectAdapter", "UiprmdViconAdapter", "UiprmdViconAnglesAdapter"]
