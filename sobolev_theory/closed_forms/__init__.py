"""The paper's formulas written out: one pair, one neuron, an orthonormal teacher."""
