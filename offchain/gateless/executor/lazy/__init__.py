"""Lazy requests in a running executor: answered by the output alone, proven where doubted."""
