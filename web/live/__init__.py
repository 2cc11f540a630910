"""The live stream, from Firestore's Listen to the browser's EventSource."""
