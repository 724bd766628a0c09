"""Where runs are computed: this machine, or a cluster."""
