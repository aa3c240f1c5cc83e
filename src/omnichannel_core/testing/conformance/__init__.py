"""The conformance kit: what a driver must prove, from bronze to platinum."""

from omnichannel_core.testing.conformance.certifying import Certificate, Tried, Verdict, certify
from omnichannel_core.testing.conformance.facts import DriverConformance, Expected, Remote
from omnichannel_core.testing.conformance.rules import Capability, Level, Rule, all_rules

__all__ = ["DriverConformance", "Remote", "Expected", "certify", "Certificate", "Tried", "Verdict", "Level", "Rule",
           "Capability", "all_rules"]  # fmt: skip
