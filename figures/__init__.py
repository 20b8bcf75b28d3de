"""The figures: `python -m figures` draws them, `python -m figures --list` describes them.

A figure is a module with two functions. `data(track=..., ...)` computes and returns plain NumPy arrays, which the
command line keeps next to the picture; `draw(data)` returns a matplotlib Figure and computes nothing. MINUTES says
how long `data()` takes on 2 cores. Adding a figure is one such module and one line here.

An experiment trains networks to test a statement of the paper. Its module also has PAPER, that statement, and
`finding(data)`, lines that say what was measured of it. Its `data` takes a `figures.keep.Keep`, so that it goes on
where it was interrupted, and may take full=True, the paper's own setting, and folders of `images` or of `mnist`;
FULL_NEEDS names the folder that full=True cannot do without.
"""

THEORY = {
    "basins": "share of starts that miss an orthonormal teacher, over its neurons, from the table of studies.basins",
    "closed_form_against_sampling": "error of Monte-Carlo estimates of the closed forms over the number of samples",
    "conditioning": "eigenvalues and condition numbers of L2 and H1 over the angle, for one neuron",
    "kernels": "kernels of every family of activations; conditioning of RePU(p) by the order of the Sobolev loss",
    "one_neuron_flows": "one neuron: V over time with proved bounds; times to tolerance, L2 over H1, for all starts",
    "slices": "phase portraits and trajectories of L2 and H1 on the slice of an orthonormal teacher",
    "spectra": "spectra of L2 and H1 weighted by multiplicity, along a gradient flow and over K",
}
EXPERIMENTS = {
    "architectures": "tanh networks, Fourier features and SIREN on three functions: error over steps of L2, H1, H2",
    "numerical_derivatives": "Ackley's function: L2 and H1 with exact, finite-difference and Chebyshev derivatives",
    "denoising": "denoising autoencoder of digits: test error over epochs of L2 and H^s by Fourier, and pictures",
    "resnet_autoencoder": "ResNet-18 autoencoder of natural images: test error over steps of L2 and H1, and pictures",
    "diffusion": "diffusion on images (DDPM, prediction of x0): Frechet distance of L2 and H1, and samples",
    "high_dimension": "student and teacher in up to 512 dimensions: error and cost of L2 and of H1 by projections",
    "value_functions": "value functions of control problems over the number of samples, with and without gradients",
}
FIGURES = THEORY | EXPERIMENTS
