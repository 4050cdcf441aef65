"""Gates that any service can use."""

from .chat_flow import chat_flow_gate
from .concurrent_users import concurrent_users_gate
from .error_handler import error_handler_gate
from .findings import GateFailed
from .harm import Harm, harms_of_link, harms_of_server
from .health_report import health_report_gate
from .own_client import ClientService, Refused
from .readiness import readiness_gate
from .script import ChatScript, Turn
from .service import ChatService
from .serving import serve
from .user import ChatUser

__all__ = [
    "ChatScript",
    "ChatService",
    "ChatUser",
    "ClientService",
    "GateFailed",
    "Harm",
    "Refused",
    "Turn",
    "chat_flow_gate",
    "concurrent_users_gate",
    "error_handler_gate",
    "harms_of_link",
    "harms_of_server",
    "health_report_gate",
    "readiness_gate",
    "serve",
]
