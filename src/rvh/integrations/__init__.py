"""rvh inside the engines people already run; each module is optional and imported by itself."""
