"""The POS driver: tills that exchange files with a store's directory."""
