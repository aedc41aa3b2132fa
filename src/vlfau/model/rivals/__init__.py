"""The systems that the paper compares with, as heads on the same stem."""
