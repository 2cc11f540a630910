"""Publishing and republishing messages from the viewer."""
