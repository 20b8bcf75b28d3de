"""One neuron and its teacher."""
