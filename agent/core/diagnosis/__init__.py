"""The doctor: what was observed becomes findings, each with its cause and its cure. Pure.

``findings(facts)`` says what is wrong here; ``explain(text, facts)`` what an error text means here.
"""

from agent.core.diagnosis.explanation import Explanation, explain
from agent.core.diagnosis.facts import Facts
from agent.core.diagnosis.finding import Finding, Group, Kind, Repair, Severity, Sight
from agent.core.diagnosis.kinds import BY_CODE, EVERY_KIND
from agent.core.diagnosis.rules import findings
from agent.core.diagnosis.symptoms import SYMPTOMS, texts_of

__all__ = [
    "BY_CODE",
    "EVERY_KIND",
    "SYMPTOMS",
    "Explanation",
    "Facts",
    "Finding",
    "Group",
    "Kind",
    "Repair",
    "Severity",
    "Sight",
    "explain",
    "findings",
    "texts_of",
]
