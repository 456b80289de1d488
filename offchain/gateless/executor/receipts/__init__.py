"""Bonded receipts in a running executor: answers, pools, and proofs for whoever doubts."""
