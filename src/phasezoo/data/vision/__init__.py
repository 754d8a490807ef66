"""The image sets that everybody uses: where their files are, and how each is decoded."""
