-- What is sold.
CREATE TABLE products (
    id    integer PRIMARY KEY,
    -- in cents; never "float"
    price integer NOT NULL
);

CREATE OR REPLACE FUNCTION total(n integer) RETURNS integer AS $$
BEGIN
    RETURN n * 2;
END
$$ LANGUAGE plpgsql;

CREATE INDEX products_price ON products (price);

SELECT id, price
FROM products
WHERE price > 10;
