"""airbyte-cdk's declarative read: JSON lines, no store, no types, no newest-wins (the reader does that for it)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from airbyte_cdk.entrypoint import launch
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

SCHEMA = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "additionalProperties": True}


def manifest(url: str) -> dict[str, Any]:
    """A declarative source of one stream."""
    requester = {"type": "HttpRequester", "url_base": url, "path": "/orders", "http_method": "GET"}
    paginator = {
        "type": "DefaultPaginator",
        "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"},
        "page_size_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "limit"},
        "pagination_strategy": {"type": "PageIncrement", "page_size": 250, "start_from_page": 1},
    }
    extractor = {"type": "DpathExtractor", "field_path": ["data"]}
    stream = {
        "type": "DeclarativeStream",
        "name": "orders",
        "primary_key": ["id"],
        "schema_loader": {
            "type": "InlineSchemaLoader",
            "schema": {**SCHEMA, "properties": {"id": {"type": "integer"}}},
        },
        "retriever": {
            "type": "SimpleRetriever",
            "requester": requester,
            "paginator": paginator,
            "record_selector": {"type": "RecordSelector", "extractor": extractor},
        },
    }
    return {
        "version": "7.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["orders"]},
        "streams": [stream],
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
    }


def main(url: str) -> None:
    """Reads the stream; the messages go to standard output, which becomes the result."""
    catalog = {
        "streams": [
            {
                "stream": {"name": "orders", "json_schema": SCHEMA, "supported_sync_modes": ["full_refresh"]},
                "sync_mode": "full_refresh",
                "destination_sync_mode": "append",
            }
        ]
    }
    Path("config.json").write_text("{}")
    Path("catalog.json").write_text(json.dumps(catalog))
    source = ConcurrentDeclarativeSource(
        catalog=ConfiguredAirbyteCatalogSerializer.load(catalog), config={}, state=[], source_config=manifest(url)
    )
    launch(source, ["read", "--config", "config.json", "--catalog", "catalog.json"])


if __name__ == "__main__":
    main(sys.argv[1])
