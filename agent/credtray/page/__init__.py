"""The page of `credtray open`: what a tray menu cannot show. Loaded when somebody asks for it, not before."""
