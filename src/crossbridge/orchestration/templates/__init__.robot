*** Settings ***
Library    crossbridge_listener.py
