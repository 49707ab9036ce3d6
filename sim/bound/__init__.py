"""The information limit: what no estimator of gaze can beat, given a headset, its noise and what is unknown.

docs/bound.md has the formulas. `parameters` says what is unknown and how well it is known beforehand,
`jacobian` differentiates the readings by all of it, `fisher` turns derivatives into bounds, `survey` does so
for many users, gazes, slips and SNRs.
"""
