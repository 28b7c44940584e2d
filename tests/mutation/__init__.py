"""Mutation tests: what is changed in the critical parts without any test failing?"""
