"""Self-supervised pretraining: learning from readings whose gaze nobody knows; docs/pretraining.md."""
