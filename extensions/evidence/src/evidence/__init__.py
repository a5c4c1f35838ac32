"""Measure what speaks for or against the authenticity of an image, and keep its chain of custody.

A package and a function of their own: the core never imports it. Each measure has a value, a meaning and rates that
were measured on honest and spliced images; there is no score of all measures together.
"""
