"""Pictures, videos and cameras: everything that is opened to see pixels."""
