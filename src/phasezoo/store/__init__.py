"""What lies on disk: schema, manifests, weights, measurements, and the published zoo."""
