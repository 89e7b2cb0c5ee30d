"""The HTTP API for programs: its endpoints, their parameters and answers, and the OpenAPI document made of these."""
