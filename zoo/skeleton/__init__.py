"""Layouts, typed graphs and kinematics of skeletons."""
