//! Sealing of secrets and of stored bytes, password hashes, and the keys that both use.
