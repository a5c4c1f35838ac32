"""Comparisons with other services: each row agrees, differs for a documented reason, or is a defect."""
