"""Errors between the commands and the agent."""

from __future__ import annotations

from credtray.core.errors.base import CredtrayError, Retry


class AgentNotRunning(CredtrayError):
    """Nothing listens on the agent's socket."""

    code = "agent_not_running"
    title = "The agent is not running"
    hint = "Start it with: credtray run"
    retry = Retry.PERSON
    exit_code = 3


class AgentSilent(CredtrayError):
    """The agent accepted the connection but did not answer in time."""

    code = "agent_silent"
    title = "The agent does not answer"
    hint = "Look at its log, or restart it: `credtray stop`, `credtray run`."
    retry = Retry.LATER
    exit_code = 3


class AgentRefused(CredtrayError):
    """The socket or the process behind it belongs to another user."""

    code = "agent_refused"
    title = "The agent's socket is not safe to use"
    hint = "Fix the owner or mode of the directory that the message names."
    retry = Retry.PERSON
    exit_code = 3


class ProtocolMismatch(CredtrayError):
    """The running agent speaks another version of the protocol."""

    code = "protocol_mismatch"
    title = "The running agent and this command are different versions"
    hint = "Restart it: `credtray stop`, then `credtray run`."
    retry = Retry.PERSON
    exit_code = 3


class BadFrame(CredtrayError):
    """An IPC frame was too long, not JSON, or not of a known shape."""

    code = "bad_frame"
    title = "A message between credtray and its agent was malformed"
    hint = "Use the same version on both sides."
    retry = Retry.PERSON


class TimedOut(CredtrayError):
    """There was no usable answer within the time the caller can wait."""

    code = "timed_out"
    title = "It took too long"
    hint = "Try again; `credtray status` shows what is going on."
    retry = Retry.LATER
