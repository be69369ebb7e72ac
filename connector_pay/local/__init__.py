"""The portal on one machine: real servers from their wheels, and all its processes under one roof.

Nothing here imports Django: these modules prepare the environment that `connector_pay.settings` then reads.
"""
