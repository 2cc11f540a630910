"""The gRPC methods of Firestore, each translated to the storage and the queries."""
