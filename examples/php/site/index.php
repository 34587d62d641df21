<?php
// SPDX-License-Identifier: GPL-2.0-only
declare(strict_types=1);

if (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) === '/sum') {
    header('Content-Type: application/json');
    $asked = json_decode(file_get_contents('php://input'), true);
    $numbers = is_array($asked) ? $asked['numbers'] ?? null : null;
    if (!is_array($numbers) || $numbers !== array_filter($numbers, 'is_int')) {
        http_response_code(400);
        exit('{"error":"numbers are wanted"}');
    }
    exit(json_encode(['sum' => array_sum($numbers)]) . "\n");
}
$name = htmlspecialchars((string) ($_GET['name'] ?? 'you'));
echo '<!DOCTYPE html><link rel="stylesheet" href="/style.css"><p>Hello, ', $name, ".</p>\n";
