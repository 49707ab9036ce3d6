"""Better sensor layouts, by the gradient of the information limit; docs/bound.md tells how.

`layout` turns a headset into tensors and back, `limits` says what may not be built, `objective` is what is
improved, `improve` does it, `thin` leaves out the least useful sensors.
"""
