"""What is on the network: services that announce themselves, and hosts that are asked."""
