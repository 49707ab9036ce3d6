"""The simulator's optics once more in torch: the same numbers, differentiable, on a CPU or a GPU.

One function for each kernel of `psog.sim`, by the same name where it does the same, for one user and pose;
`psog.sim.torch.render` maps them over users. Whoever changes a kernel changes its twin here;
tests/sim/test_torch.py compares the two.
"""
