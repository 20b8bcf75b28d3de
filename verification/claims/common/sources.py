"""Where the claims come from."""

PAPER = "arXiv 2509.19773"
ONE_NEURON_PAPER = f"{PAPER}, one neuron"
PAIR_PAPER = f"{PAPER}, pair formulas"
NETWORK_PAPER = f"{PAPER}, many neurons"
TIAN = "Tian, arXiv 1703.00560"
KERNELS = "Cho & Saul, NeurIPS 2009"
