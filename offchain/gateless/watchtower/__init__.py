"""The watchtower: computes given answers anew and challenges the wrong ones with its bond."""
