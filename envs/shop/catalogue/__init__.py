"""What a shop sells: products and goals in Arrow files, and WebShop's own files as they are."""

from worldschool.envs.shop.catalogue.catalogue import Catalogue

__all__ = ["Catalogue"]
