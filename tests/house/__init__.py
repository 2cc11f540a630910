"""The rules of the house: English, imports, sizes. Each rule is a program for people and a test for `make lint`."""
