"""The tools for agents, and the server that speaks the Model Context Protocol (https://modelcontextprotocol.io)."""
