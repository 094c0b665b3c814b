"""What the tests share: how they render and build, and what stands in for other machines."""
