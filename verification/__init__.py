"""The paper's statements as data, each attacked by several independent methods: python -m verification."""
